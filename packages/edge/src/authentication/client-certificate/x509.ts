import { createRequire } from "node:module";
import type * as Library from "@peculiar/x509";

let loaded: typeof Library | undefined;

/** The library, loaded when it is first asked for: megabytes that only those pay for whose clients have certificates. */
export function x509(): typeof Library {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    // It has to be there first.
    require("reflect-metadata");
    loaded = require("@peculiar/x509") as typeof Library;
  }
  return loaded;
}
