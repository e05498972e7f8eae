export const handler = () => Promise.resolve({});
