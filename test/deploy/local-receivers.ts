/** Loaded into MiniStack's functions before the handler: the demo receiver is on loopback. A template cannot say so. */
Object.assign(globalThis, { [Symbol.for('tidings.local.receivers')]: true });
