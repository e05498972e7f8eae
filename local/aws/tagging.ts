import { z } from 'zod';

import { actionsOn, type Service, serviceOf } from './actions.ts';
import type { KeyRecord } from './kms-keys.ts';
import type { Kms } from './kms.ts';

const action = actionsOn<Kms>('InvalidParameterException');

/** The Resource Groups Tagging API as the SDK speaks to it, for the one kind of resource that is looked for by its tags. */
export function taggingService(kms: Kms): Service {
  return serviceOf(kms, {
    GetResources: action(getInput, (keys, input) => {
      const { PaginationToken: after = '', ResourcesPerPage: size = 100, TagFilters: filters } = input;
      const found = keys
        .keys()
        .filter((key) => filters.every((filter) => hasTag(key, filter)))
        .toSorted((a, b) => a.id.localeCompare(b.id))
        .filter(({ id }) => id.localeCompare(after) > 0);
      const page = found.slice(0, size);
      return {
        ResourceTagMappingList: page.map((key) => ({
          ResourceARN: keys.arnOf(key),
          Tags: key.tags.map(({ TagKey: Key, TagValue: Value }) => ({ Key, Value })),
        })),
        // An empty one says that there is no more.
        PaginationToken: found.length > page.length ? page.at(-1)?.id : '',
      };
    }),
  });
}

const tagFilter = z.strictObject({ Key: z.string().min(1).max(128), Values: z.array(z.string()).min(1) });

const getInput = z.strictObject({
  ResourceTypeFilters: z.tuple([z.literal('kms:key')]),
  TagFilters: z.array(tagFilter).min(1).max(50),
  PaginationToken: z.string().optional(),
  ResourcesPerPage: z.int().min(1).max(100).optional(),
});

function hasTag({ tags }: KeyRecord, { Key, Values }: z.output<typeof tagFilter>): boolean {
  return tags.some(({ TagKey, TagValue }) => TagKey === Key && Values.includes(TagValue));
}
