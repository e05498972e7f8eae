import { join } from 'node:path';
import { CommandFailed, run } from '../receivers/child.ts';
import { limitMs, root, toolOf } from './ground.ts';

/**
 * Holds a description against Redocly's recommended rules; which are off, and why, stands in redocly.yaml.
 *
 * @throws Error for any problem, a mere warning too.
 */
export async function lint(description: string): Promise<void> {
  const config = join(import.meta.dirname, 'redocly.yaml');
  const command = {
    command: toolOf('redocly'),
    args: ['lint', description, '--config', config],
    cwd: root,
    // It asks nobody for a newer version, and tells nobody of its use.
    env: { REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', REDOCLY_TELEMETRY: 'off' },
  };
  const said = await run(command, limitMs);
  if (/\bwarning/i.test(said)) throw new CommandFailed(`redocly: ${said}`);
}
