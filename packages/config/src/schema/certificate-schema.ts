import * as Schema from "effect/Schema";
import { field } from "./field.ts";
import { Text } from "./scalars.ts";

/** A certificate with its key, in files: of listeners and of the gateway as a client. */
export const Certificate = Schema.Struct({
  path: field(Text, "File of the certificate and its chain in PEM, or PKCS #12 (`.pfx`, `.p12`). Relative to this file. Required."),
  keyPath: field(Text, "File of the private key in PEM.", { defaultText: "in `Path`" }),
  password: field(Text, "Opens an encrypted key or PKCS #12 file."),
});
