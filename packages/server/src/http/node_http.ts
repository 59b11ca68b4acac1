// node:http without its ESM façade: an `import` of it evaluates every lazy export, among them the whole of undici, which
// costs 40 ms and several megabytes at start-up and which a server does not use.
export const { createServer } = process.getBuiltinModule('node:http');
