/** Imports go left only: shared ◀ event ◀ … ◀ api. */
const features = [
  'shared',
  'event',
  'organization',
  'signing',
  'endpoint',
  'request',
  'delivery',
  'routing',
  'recovery',
  'api',
];

const leftOnly = features.slice(0, -1).map((feature, index) => ({
  name: `imports-go-left-from-${feature}`,
  severity: 'error',
  from: { path: `^lambdas/${feature}/` },
  to: { path: `^lambdas/(${features.slice(index + 1).join('|')})/` },
}));

/** Files whose name says that they reach AWS or the network. */
const reaching = '/(store|queue|bus|secrets|keys|clients|post)\\.ts$';

export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^(lib|lambdas)/' }, to: {} },
    ...leftOnly,
    {
      name: 'only-named-files-reach-out',
      comment:
        'store, queue, bus, secrets, keys, clients and post reach AWS or the network; nothing else does. ' +
        'load-certificate has OpenSSL judge a certificate, and connects to nothing.',
      severity: 'error',
      from: { path: '^lambdas/', pathNot: `${reaching}|/(handler|wire|load-certificate)\\.ts$` },
      to: { path: '^(@aws-sdk|node_modules/@aws-sdk|@smithy|(node:)?(https?|net|tls|dns|http2|fs)(/|$))' },
    },
    {
      name: 'only-handlers-wire',
      comment:
        'Adapters are made by a handler, or by its wire, and handed in; a use case declares its ports.',
      severity: 'error',
      from: { path: '^lambdas/', pathNot: `${reaching}|/(handler|wire)\\.ts$` },
      to: { path: `^lambdas/.*${reaching}` },
    },
    {
      name: 'a-wire-is-for-its-handler',
      comment: 'Beside the handler only the simulator puts the ports of a function together.',
      severity: 'error',
      from: { path: '^(lambdas|lib|bin)/', pathNot: '/handler\\.ts$' },
      to: { path: '^lambdas/.*/wire\\.ts$' },
    },
    {
      name: 'nobody-imports-a-handler',
      severity: 'error',
      from: {},
      to: { path: '^lambdas/.*/handler\\.ts$' },
    },
    {
      name: 'functions-know-no-infrastructure',
      severity: 'error',
      from: { path: '^lambdas/' },
      to: { path: '^(lib|bin|local|test|bench)/' },
    },
    {
      name: 'the-stack-knows-only-environments-and-routes',
      severity: 'error',
      from: { path: '^(lib|bin)/', pathNot: '^bin/reconcile' },
      to: { path: '^(lambdas|local|test|bench)/', pathNot: '/env\\.ts$' },
    },
    {
      name: 'the-command-line-runs-use-cases-only',
      comment: 'npm run reconcile wires the very use case that the function runs, as a handler would.',
      severity: 'error',
      from: { path: '^bin/reconcile' },
      to: { path: '^(lib|local|test|bench)/|^lambdas/.*/(handler|routes|env)\\.ts$' },
    },
    {
      name: 'verify-stands-alone',
      comment: 'A receiver installs it: it shares nothing with the signer but the standard.',
      severity: 'error',
      from: { path: '^verify/' },
      to: { path: '^(lambdas|lib|bin|local|test|bench)/' },
    },
    {
      name: 'nothing-shipped-needs-verify',
      comment: 'But the receiver of the canary, which is a receiver like a customer’s.',
      severity: 'error',
      from: { path: '^(lambdas|lib|bin)/', pathNot: '^lambdas/endpoint/canary/receive/' },
      to: { path: '^verify/' },
    },
    {
      name: 'the-evaluator-is-pure',
      comment: 'It is held against AWS’s documented rules, and knows nothing of this runtime.',
      severity: 'error',
      from: { path: '^local/permissions/evaluator/' },
      to: { pathNot: '^(local/permissions/evaluator/|node_modules/zod/|zod$)' },
    },
    {
      name: 'stand-ins-know-no-permissions',
      comment: 'They are handed what judges, and serve what it lets through.',
      severity: 'error',
      from: { path: '^local/aws/' },
      to: { path: '^local/(?!aws/)' },
    },
    { name: 'nothing-needs-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    {
      name: 'shipped-code-needs-only-dependencies',
      severity: 'error',
      from: { path: '^lambdas/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
