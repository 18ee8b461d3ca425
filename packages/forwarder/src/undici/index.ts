export { createUndiciClient } from "./undici-client.ts";
