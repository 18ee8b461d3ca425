import type { HttpVersion } from "@proxy/http";

/** The tables write "2.0" and "3.0". */
export const versionOf = (text: string): HttpVersion => (/^[23]\.0$/u.test(text) ? text.slice(0, 1) : text) as HttpVersion;
