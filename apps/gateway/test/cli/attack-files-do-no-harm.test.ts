/** The configuration files of the attack corpus: each is accepted or refused as the corpus says, with a message. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check } from "../../src/cli/check.ts";
import { configFolder } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";

type Piece = string | { readonly repeat: string; readonly times: number };

interface Case {
  readonly id: string;
  readonly title: string;
  readonly kind?: string;
  readonly raw: string | readonly Piece[];
  readonly expect: { readonly oneOf: readonly { readonly is: string; readonly messageMatch?: string }[] };
}

const corpus = new URL("../../../../tooling/security/attacks.json", import.meta.url);
const cases = (JSON.parse(readFileSync(corpus, "utf8")) as { readonly cases: readonly Case[] }).cases.filter(
  ({ kind }) => kind === "config",
);

function textOf(raw: Case["raw"]): string {
  return [raw]
    .flat()
    .map((piece: Piece) =>
      typeof piece === "string"
        ? piece
        : Array.from({ length: piece.times }, (_, n) => piece.repeat.replaceAll("{n}", String(n))).join(""),
    )
    .join("");
}

describe("files of the attack corpus", () => {
  let folder: ConfigFolder;
  beforeAll(async () => {
    folder = await configFolder();
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  test.each(cases.map((one) => [`${one.id} ${one.title}`, one] as const))("%s", async (_, one) => {
    const file = `${folder.path}/${one.id}.json`;
    await writeFile(file, textOf(one.raw), "latin1");
    let message = "";
    const take = (text: string): void => {
      message += text;
    };
    const code = await check({ command: "check", files: [file], json: false, strict: false }, { out: take, error: take });
    const outcome = code === 0 ? "accepted" : "refused";
    const wanted = one.expect.oneOf.find(({ is }) => is === outcome);
    expect(wanted, `${outcome}: ${message}`).toBeDefined();
    expect(message).not.toBe("");
    expect(message).toMatch(new RegExp(wanted?.messageMatch ?? ""));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
