// For `node --import`, before a TypeScript file is run: ends the process where the file could not be read.
import { unsupportedNodeMessage } from "./src/node-version.mjs";

const message = unsupportedNodeMessage(process.versions.node);
if (message !== undefined) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
