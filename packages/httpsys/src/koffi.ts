import { createRequire } from "node:module";

/** What is used of koffi: its own types would have to be installed for ours to be checked. */
export interface Koffi {
  load(path: string): KoffiLibrary;
  /** Stays what it is for as long as the bytes live. */
  address(bytes: Uint8Array): bigint;
}

export interface KoffiLibrary {
  /** Throws when there is no such export. */
  func(name: string, result: string, parameters: readonly string[]): KoffiFunction;
  func(convention: string, name: string, result: string, parameters: readonly string[]): KoffiFunction;
}

type Value = number | bigint | Uint8Array;

export interface KoffiFunction {
  (...values: Value[]): number;
  /** Runs in another thread. */
  async(...values: [...Value[], (error: Error | null, result: number) => void]): void;
}

/** Throws when it is not installed or has nothing for this machine. */
export function loadKoffi(): Koffi {
  return createRequire(import.meta.url)("koffi") as Koffi;
}
