import type { World } from './world.ts';

/** Something that somebody does at some moment. */
export type Action = (world: World) => void | Promise<void>;
