import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What STYLE asks of every file, as checks: a rule that matters is a check, not a habit. */
const namedExportsOnly = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only: a name that can be searched for.',
};

export default defineConfig(
  // Receivers' samples are for other projects, with rules of their own.
  globalIgnores([
    'cdk.out',
    '.tidings',
    '.cache',
    'node_modules',
    'test/data',
    'docs/receivers',
    'verify/dist',
  ]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      'no-console': 'error',
      'no-restricted-syntax': ['error', namedExportsOnly],
      '@typescript-eslint/consistent-type-imports': 'error',
      // `const { left, ...rest }` is how an object without a field is made.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['lambdas/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'fetch follows redirects (sender.md, 8.3).' },
      ],
    },
  },
  {
    // Pure files are handed time and chance (DESIGN.md, section 6): only a handler may reach for them.
    files: ['lambdas/**'],
    ignores: ['lambdas/**/handler.ts', 'lambdas/**/{store,queue,bus,secrets,keys,post}.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is handed in.' },
        { object: 'Math', property: 'random', message: 'Chance is handed in.' },
        { object: 'process', property: 'env', message: 'The environment is read by a handler, once.' },
      ],
    },
  },
  {
    files: ['lib/**'],
    rules: { 'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }] },
  },
  {
    // A describe block is a list of cases, not a function to read at once; printing is local/'s job.
    files: ['test/**'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' },
  },
  {
    files: [
      ...['local/**', 'bench/**', 'bin/reconcile.ts', 'test/reads/run.ts'],
      'test/simulation/{run,plants,backlog,isolation}.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['*.js', '*.config.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
