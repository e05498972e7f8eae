import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What STYLE asks of every file, as checks: a rule that matters is a check, not a habit. */
const namedExportsOnly = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only: a name that can be searched for.',
};

/** A client that is made elsewhere has no limit of time (lambdas/shared/clients.ts): of AWS's packages take only these. */
const fromAws = '[source.value=/^@aws-sdk\\u002f/]';
const message = 'Clients are made by lambdas/shared/clients.ts: any other call may hang for ever.';
const clientsInOnePlace = [
  `ImportDeclaration${fromAws}[importKind!="type"] > ImportSpecifier[importKind!="type"][imported.name!=/(Command|Exception)$/]`,
  `ImportDeclaration${fromAws}[importKind!="type"] > :matches(ImportNamespaceSpecifier, ImportDefaultSpecifier)`,
  `:matches(ExportNamedDeclaration, ExportAllDeclaration)${fromAws}`,
  `ImportExpression${fromAws}`,
  'NewExpression:matches([callee.name=/Client$/], [callee.property.name=/Client$/])',
].map((selector) => ({ selector, message }));

export default defineConfig(
  // Samples are for other projects, with rules of their own.
  globalIgnores([
    'cdk.out',
    '.tidings',
    '.cache',
    'node_modules',
    'test/data',
    'docs/receivers',
    'docs/clients',
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
      'no-restricted-globals': ['error', { name: 'fetch', message: 'fetch follows redirects.' }],
    },
  },
  {
    // Pure files are handed time and chance: only a handler may reach for them.
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
    files: ['lambdas/**', 'bin/**', 'lib/**'],
    ignores: ['lambdas/shared/clients.ts'],
    rules: { 'no-restricted-syntax': ['error', namedExportsOnly, ...clientsInOnePlace] },
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
