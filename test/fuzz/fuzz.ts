import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startDemoReceiver } from '../../local/demo/receiver.ts';
import { startRuntime } from '../../local/runtime.ts';
import type { Runtime } from '../../local/runtime.ts';
import { configurationOf, examplesOf, sparesOf } from './configuration.ts';
import type { Identity } from './flags.ts';
import { cache } from './python.ts';
import { rules } from './rules.ts';
import { organizationId, prepareScene } from './scene.ts';
import type { Scene } from './scene.ts';
import { configurationFile, limitMs, runSchemathesis } from './schemathesis.ts';
import type { Findings, Order } from './schemathesis.ts';

export interface Wish extends Pick<Order, 'command' | 'maxExamples' | 'seed' | 'onOutput'> {
  readonly identity: Identity;
  /** Folder of a stack that was synthesized. */
  readonly templateFolder: string;
}

/** What came of a run. */
export interface Outcome extends Findings {
  readonly identity: Identity;
}

/** Fuzzes every operation of a Tidings of its own, by its description, as somebody. */
export async function fuzz({ identity, templateFolder, ...order }: Wish): Promise<Outcome> {
  const receiver = await startDemoReceiver();
  const extraCas = [receiver.authority];
  const runtime = await startRuntime({ port: 0, templateFolder, extraCas, namesAreLocal: true });
  try {
    const scene = await prepareScene(runtime, receiver);
    const folder = join(cache, identity);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, configurationFile), configurationOf(scene));
    const environment = {
      FUZZ_TOKEN: await tokenOf(runtime, identity),
      ...(await toldTheHooks(runtime, scene)),
    };
    const description = `${runtime.api}/openapi.json`;
    return { identity, ...(await runSchemathesis({ ...order, folder, description, environment })) };
  } finally {
    await runtime.stop();
    await receiver.stop();
  }
}

const described = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
});

async function toldTheHooks({ api }: Runtime, scene: Scene): Promise<Record<string, string>> {
  const { paths } = described.parse(await (await fetch(`${api}/openapi.json`)).json());
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const names = operations.map(({ operationId }) => operationId);
  return {
    FUZZ_EXAMPLES: JSON.stringify(examplesOf(scene, names)),
    FUZZ_SPARES: JSON.stringify(sparesOf(scene)),
    FUZZ_RULES: JSON.stringify(rules),
  };
}

function tokenOf(runtime: Runtime, identity: Identity): Promise<string> {
  const expiresInSeconds = limitMs / 1000;
  switch (identity) {
    case 'administrator':
      return runtime.issueToken({ organizationId, group: 'administrators', expiresInSeconds });
    case 'operator':
      return runtime.issueToken({ group: 'operators', expiresInSeconds });
  }
}
