import { whenSetting, type ManualEntry, type ManualSetting } from "./entry.ts";

const maxText: ManualSetting = { name: "MaxSize", meaning: "Most bytes of a body in a content coding once that is taken off.", preset: "67108864" };
const maxJson: ManualSetting = { name: "MaxSize", meaning: "Most bytes of a body, which is held as a whole.", preset: "1048576" };
const textTypes: ManualSetting = {
  name: "ContentTypes",
  meaning: "Media types, joined by `;`, with stars: `text/*`, `*/*+json`. Other bodies stay.",
  preset: "those of text, JSON, XML and JavaScript",
};
const jsonTypes: ManualSetting = { ...textTypes, preset: "`application/json` and `*/*+json`" };
const ofResponses: readonly ManualSetting[] = [
  {
    name: "Encoding",
    meaning: "`Recompress`: gzip, deflate, br and zstd are taken off and put on again. `Identity`: destinations are asked for bodies without.",
    preset: "Recompress",
    values: ["Recompress", "Identity"],
  },
  { ...whenSetting, preset: "Always" },
];
const edits: readonly ManualSetting[] = [
  { name: "Set", meaning: "A text to put there. `-` at the end of a pointer adds to a list." },
  { name: "SetJson", meaning: "A JSON text that says what to put there." },
  { name: "Remove", meaning: "`true` takes out what is there.", values: ["true"] },
];

/** In the order of the catalogue. */
export const bodyEntries: readonly ManualEntry[] = [
  {
    key: "RequestBodyReplace",
    summary:
      "Replaces a text wherever it stands in the body, also across chunks. Bodies in another charset than UTF-8 become UTF-8, and `Content-Type` says so; those in a charset that nobody knows stay.",
    value: { meaning: "the text, up to 1024 bytes" },
    settings: [{ name: "With", meaning: "The text that takes its place." }, textTypes, maxText],
    example: {
      transform: { RequestBodyReplace: "site.test", With: "internal.test" },
      of: "request",
      before: ["POST /", "Content-Type: text/html"],
      after: ["POST /", "Content-Type: text/html"],
      body: { before: "<a href=//site.test/>site.test</a>", after: "<a href=//internal.test/>internal.test</a>" },
    },
  },
  {
    key: "RequestBodyJson",
    summary:
      "Changes one place in a JSON body. A place whose parent is missing stays missing. All digits of numbers are kept. What is no JSON is answered with 400, what is too large with 413.",
    value: { meaning: "a JSON pointer (RFC 6901): `/user/name`, `/items/0`" },
    settings: [...edits, jsonTypes, maxJson],
    example: {
      transform: { RequestBodyJson: "/user/role", Set: "guest" },
      of: "request",
      before: ["POST /", "Content-Type: application/json"],
      after: ["POST /", "Content-Type: application/json"],
      body: { before: '{"user":{"id":12345678901234567890,"role":"admin"}}', after: '{"user":{"id":12345678901234567890,"role":"guest"}}' },
    },
  },
  {
    key: "ResponseBodyReplace",
    summary:
      "The same in responses. Ranges are not asked for; length and digests fall away; an ETag becomes a weak one. A body in a content coding that cannot be taken off is a 502.",
    value: { meaning: "the text, up to 1024 bytes" },
    settings: [{ name: "With", meaning: "The text that takes its place." }, textTypes, maxText, ...ofResponses],
    example: {
      transform: { ResponseBodyReplace: "http://internal.test", With: "https://site.test" },
      of: "response",
      before: ["Content-Type: text/html", 'ETag: "a"'],
      after: ["Content-Type: text/html", 'ETag: W/"a"'],
      body: { before: "<a href=http://internal.test/cart>", after: "<a href=https://site.test/cart>" },
    },
  },
  {
    key: "ResponseBodyJson",
    summary: "The same in responses. What is no JSON, or too large, is a 502.",
    value: { meaning: "a JSON pointer (RFC 6901): `/user/name`, `/items/0`" },
    settings: [...edits, jsonTypes, maxJson, ...ofResponses],
    example: {
      transform: { ResponseBodyJson: "/password", Remove: "true" },
      of: "response",
      before: ["Content-Type: application/json"],
      after: ["Content-Type: application/json"],
      body: { before: '{"name":"a","password":"b"}', after: '{"name":"a"}' },
    },
  },
];
