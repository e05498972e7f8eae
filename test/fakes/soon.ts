/** What a synchronous fake gives, as a promise; what it throws, as a rejection. */
export function soon<Value>(give: () => Value): Promise<Value> {
  return Promise.resolve().then(give);
}
