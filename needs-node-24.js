import process from 'node:process';

/**
 * Loaded before every command (package.json, cdk.json), and plain JavaScript: an older Node says only that it does not
 * know the extension .ts. The development dependency `node` fetches the Node that Lambda runs, by an install script.
 */
const major = Number(process.version.slice(1).split('.')[0]);
if (major < 24) {
  const isKept = process.env['npm_config_ignore_scripts'] === 'true';
  const how = isKept
    ? "npm's setting ignore-scripts=true has kept `npm ci` from fetching it: run `npm rebuild node --ignore-scripts=false`"
    : 'run `npm ci`, which fetches it into this folder';
  process.stderr.write(
    `Tidings needs Node 24, and this is ${process.version}; ${how}, or install Node 24.\n`,
  );
  process.exit(1);
}
