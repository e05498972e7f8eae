import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Heap } from '../../../local/aws/heap.ts';

const change = fc.oneof(
  fc.record({ kind: fc.constant('set'), item: fc.nat(20), rank: fc.nat(10) }),
  fc.record({ kind: fc.constant('delete'), item: fc.nat(20), rank: fc.constant(0) }),
);

test('whatever is put in, re-ranked and taken out, the rest leaves by rank, and equal ranks as they came', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const heap = new Heap<number>();
      let model: { item: number; rank: number }[] = [];
      for (const { kind, item, rank } of changes) {
        model = model.filter((one) => one.item !== item);
        if (kind === 'delete') heap.delete(item);
        else {
          heap.set(item, rank);
          model.push({ item, rank });
        }
      }
      const left: number[] = [];
      for (let first = heap.first(); first !== undefined; first = heap.first()) {
        left.push(first.item);
        heap.delete(first.item);
      }
      expect(left).toEqual(model.toSorted((one, other) => one.rank - other.rank).map(({ item }) => item));
    }),
  );
});
