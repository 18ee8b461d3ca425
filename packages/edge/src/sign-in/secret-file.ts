import { readFileSync } from "node:fs";

/** The secret that a file holds, without blanks around it. Throws `TypeError` where there is none. */
export function secretIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new TypeError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, { cause: error });
  }
  if (text === "") throw new TypeError(`${path} is empty`);
  return text;
}
