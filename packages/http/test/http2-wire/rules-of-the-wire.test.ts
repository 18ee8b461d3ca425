/** The front server of this package holds every rule, and bears everything. */
import { describe } from "vitest";
import { front } from "./front.ts";
import { wireBehaviour } from "./wire-behaviour.ts";
import { wireFuzz } from "./wire-fuzz.ts";
import { wireHostile } from "./wire-hostile.ts";
import { wireRules } from "./wire-suite.ts";

describe("an HTTP/2 server", () => {
  wireRules(front, new Map());
  wireBehaviour(front, new Map());
  wireHostile(front);
  wireFuzz(front, 250);
});
