/** The front servers of this package hold every rule, and bear everything. */
import { describe } from "vitest";
import { front } from "./front.ts";
import { wireBehaviour } from "./wire-behaviour.ts";
import { wireFuzz } from "./wire-fuzz.ts";
import { wireHostile } from "./wire-hostile.ts";
import { wireIntegrity } from "./wire-integrity.ts";
import { wireRules } from "./wire-suite.ts";

describe("HTTP/2 in cleartext", () => {
  wireRules(front);
  wireBehaviour(front);
  wireHostile(front);
  wireIntegrity(front, [1, 2, 3]);
  wireFuzz(front, 250);
});
