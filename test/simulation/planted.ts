import { oldPlants } from './plant.ts';
import type { Plant } from './plant.ts';
import { plantsOfWaiting } from './plants-of-waiting.ts';

export const plants: Readonly<Record<string, Plant>> = { ...oldPlants, ...plantsOfWaiting };

/** The fault of a name. */
export function plantOf(name: string): Plant {
  const plant = plants[name];
  if (plant === undefined)
    throw new Error(`There is no such fault; there are ${Object.keys(plants).join(', ')}`);
  return plant;
}
