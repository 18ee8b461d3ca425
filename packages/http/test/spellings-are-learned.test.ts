import { expect, test } from "vitest";
import { spelledName } from "../src/header-name.ts";

function hashOf(name: string): number {
  return [...name].reduce((hash, character) => (Math.imul(hash, 31) + character.charCodeAt(0)) | 0, 0);
}

function read(memory: Buffer, name: string): string {
  memory.write(name, "latin1");
  return spelledName(memory, 0, name.length, hashOf(name)).name;
}

test("a name is never taken for one that stood in the same memory before, also when both have one place in the table", () => {
  const memory = Buffer.alloc(16);
  const slotOf = (hash: number): number => (hash ^ (hash >>> 13)) & 4095;
  const first = "x-secret-0";
  const wanted = slotOf(hashOf(first));
  let other = "";
  for (let i = 0; other === ""; i++) {
    const candidate = `x-o${String(i).padStart(7, "0")}`;
    if (slotOf(hashOf(candidate)) === wanted) other = candidate;
  }
  expect(other).toHaveLength(first.length);
  expect(read(memory, other)).toBe(other);
  expect(read(memory, first)).toBe(first);
  expect(read(memory, other)).toBe(other);
});
