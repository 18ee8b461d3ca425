import { securityHeaderNames } from "../security-headers.ts";
import { setOrAppend, whenSetting, yesOrNo, type ManualEntry } from "./entry.ts";

export const responseEntries: readonly ManualEntry[] = [
  {
    key: "ResponseHeadersCopy",
    takesIf: false,
    summary: "Whether the destination's fields go to the client at all.",
    value: { meaning: "`true` or `false`; `true` without this transform", kind: "boolean", values: yesOrNo },
    example: { transform: { ResponseHeadersCopy: "false" }, of: "response", before: ["X-Mine: 1"], after: [] },
  },
  {
    key: "ResponseHeadersAllowed",
    takesIf: false,
    summary: "Copies only these of the destination's fields, at its place among the transforms; never fields of the connection.",
    value: { meaning: "names joined by `;`", kind: "list" },
    example: {
      transform: { ResponseHeadersAllowed: "Content-Length;X-Mine" },
      of: "response",
      before: ["X-Mine: 1", "X-Powered-By: x"],
      after: ["X-Mine: 1"],
    },
  },
  {
    key: "ResponseHeader",
    summary: "Sets a field, or adds a line to it.",
    value: { meaning: "the field's name" },
    settings: [...setOrAppend, whenSetting],
    example: {
      transform: { ResponseHeader: "Cache-Control", Set: "no-store", When: "Always" },
      of: "response",
      before: ["HTTP/1.1 404 Not Found", "Cache-Control: public"],
      after: ["HTTP/1.1 404 Not Found", "Cache-Control: no-store"],
    },
  },
  {
    key: "ResponseHeaderRemove",
    summary: "Takes all lines of that name out.",
    value: { meaning: "the field's name" },
    settings: [whenSetting],
    example: { transform: { ResponseHeaderRemove: "X-Powered-By" }, of: "response", before: ["X-Powered-By: x", "X-Mine: 1"], after: ["X-Mine: 1"] },
  },
  {
    key: "ResponseLocation",
    summary:
      "Makes `Location` and `Content-Location` what clients can follow. Addresses below the destination's own (its address, its `Host`, and the client's where `RequestHeaderOriginalHost` sends it) come out below the given base; a path as base means the host that the client asked. Addresses elsewhere stay.",
    value: { meaning: "the base that clients see: a path, or an http or https URL" },
    settings: [{ name: "From", meaning: "The base that the destination uses.", preset: "the destination's address" }],
    example: {
      beside: [{ PathRemovePrefix: "/shop" }],
      transform: { ResponseLocation: "/shop" },
      of: "response",
      before: ["HTTP/1.1 302 Found", "Location: /cart?id=1"],
      after: ["HTTP/1.1 302 Found", "Location: /shop/cart?id=1"],
    },
  },
  {
    key: "ResponseCookie",
    summary:
      "Changes attributes in `Set-Cookie`; all else in it keeps its bytes. An empty `Domain`, `Path` or `SameSite` is taken out. What the prefixes `__Host-` and `__Secure-` ask for stays.",
    value: { meaning: "the cookie's name, or `*` for all" },
    settings: [
      { name: "Domain", meaning: "The domain to set." },
      { name: "Path", meaning: "The path to set." },
      { name: "FromPath", meaning: "Only paths below it change, and `Path` takes that part's place." },
      { name: "SameSite", meaning: "`Strict`, `Lax` or `None`.", values: ["Strict", "Lax", "None", ""] },
      { name: "Secure", meaning: "`true` puts it in, `false` takes it out.", values: yesOrNo },
      { name: "HttpOnly", meaning: "`true` puts it in, `false` takes it out.", values: yesOrNo },
    ],
    example: {
      transform: { ResponseCookie: "*", Domain: "", Path: "/shop", FromPath: "/", Secure: "true" },
      of: "response",
      before: ["Set-Cookie: sid=1; Domain=internal.test; Path=/cart; HttpOnly"],
      after: ["Set-Cookie: sid=1; HttpOnly; Path=/shop/cart; Secure"],
    },
  },
  {
    key: "SecurityHeaders",
    summary:
      "Adds what browsers take as instructions, where the destination did not say otherwise. `Default` are the fields that break next to nothing; `Strict` forbids what a page does not need. `Strict-Transport-Security` goes out over https only (as far as a trusted proxy is over https, too).",
    value: { meaning: "`Default` or `Strict`", values: ["Default", "Strict"] },
    settings: [
      { name: "Override", meaning: "`true` replaces what the destination says.", preset: "false", values: yesOrNo },
      { ...whenSetting, preset: "Always" },
      ...securityHeaderNames.map((name) => ({ name, meaning: "Another value for this field; an empty one leaves it out.", preset: "the preset's" })),
    ],
    example: {
      transform: { SecurityHeaders: "Default", "Referrer-Policy": "" },
      of: "response",
      before: ["X-Frame-Options: DENY"],
      after: ["X-Frame-Options: DENY", "X-Content-Type-Options: nosniff"],
    },
  },
  {
    key: "ResponseTrailersCopy",
    takesIf: false,
    summary: "Whether the destination's trailers go to the client at all.",
    value: { meaning: "`true` or `false`; `true` without this transform", kind: "boolean", values: yesOrNo },
    example: { transform: { ResponseTrailersCopy: "false" }, of: "trailers", before: ["X-Sum: 1"], after: [] },
  },
  {
    key: "ResponseTrailersAllowed",
    takesIf: false,
    summary: "Lets only these of the destination's trailers pass; the other transforms of trailers run after it.",
    value: { meaning: "names joined by `;`", kind: "list" },
    example: { transform: { ResponseTrailersAllowed: "X-Sum" }, of: "trailers", before: ["X-Sum: 1", "X-Other: 2"], after: ["X-Sum: 1"] },
  },
  {
    key: "ResponseTrailer",
    summary: "Sets a trailer, or adds a line to it, for clients that can take trailers.",
    value: { meaning: "the field's name" },
    settings: [...setOrAppend, whenSetting],
    example: { transform: { ResponseTrailer: "X-Gate", Set: "edge" }, of: "trailers", before: ["X-Sum: 1"], after: ["X-Sum: 1", "X-Gate: edge"] },
  },
  {
    key: "ResponseTrailerRemove",
    summary: "Takes all lines of that name out of the trailers.",
    value: { meaning: "the field's name" },
    settings: [whenSetting],
    example: { transform: { ResponseTrailerRemove: "X-Sum" }, of: "trailers", before: ["X-Sum: 1", "X-Other: 2"], after: ["X-Other: 2"] },
  },
];
