import xxhash from "xxhash-wasm";

/** XXH32 of a text and XXH64 of bytes, seed 0. */
export const { h32, h64Raw } = await xxhash();
