import { appendOrSet, setOrAppend, yesOrNo, type ManualEntry } from "./entry.ts";

export const pathAndQueryEntries: readonly ManualEntry[] = [
  {
    key: "PathPrefix",
    summary: "Puts a prefix before the path. A missing leading slash is added.",
    value: { meaning: "the prefix" },
    example: { transform: { PathPrefix: "/v1" }, of: "request", before: ["GET /orders?page=2"], after: ["GET /v1/orders?page=2"] },
  },
  {
    key: "PathRemovePrefix",
    summary:
      "Takes a prefix off that ends where a segment ends; letter case does not matter. Where nothing is left, the destination's base path is asked for, or `/`.",
    value: { meaning: "the prefix" },
    example: { transform: { PathRemovePrefix: "/api" }, of: "request", before: ["GET /API/orders%2F7"], after: ["GET /orders%2F7"] },
  },
  {
    key: "PathSet",
    summary: "Replaces the path. The query stays.",
    value: { meaning: "the path" },
    example: { transform: { PathSet: "/status page" }, of: "request", before: ["GET /anything?q=1"], after: ["GET /status%20page?q=1"] },
  },
  {
    key: "PathPattern",
    summary:
      "Builds the path from a route template and the values that the route's path captured; values keep their encoding. A segment without its value drops out. Values that would make dot segments are refused with 502.",
    value: { meaning: "the template" },
    example: {
      route: "/{tenant}/{**rest}",
      transform: { PathPattern: "/data/{rest}/of/{tenant}" },
      of: "request",
      before: ["GET /acme/invoices"],
      after: ["GET /data/invoices/of/acme"],
    },
  },
  {
    key: "PathRegex",
    summary:
      "Replaces the first match of an expression in the decoded path (`%2F` stays encoded); what is kept keeps its encoding. Expressions are RE2's: matching takes time linear in the path's length, whatever the expression.",
    value: { meaning: "the expression" },
    settings: [{ name: "Replace", meaning: "The text that takes its place: `$1` to `$9` are groups, `$0` is the whole match, `$$` a dollar." }],
    example: {
      transform: { PathRegex: "^/users/(\\d+)/posts", Replace: "/posts/by/$1" },
      of: "request",
      before: ["GET /users/42/posts/7"],
      after: ["GET /posts/by/42/7"],
    },
  },
  {
    key: "QueryValueParameter",
    summary: "Puts a fixed value into the query. Names ignore case; parameters that are not named keep their bytes and places.",
    value: { meaning: "the parameter" },
    settings: appendOrSet,
    example: {
      transform: { QueryValueParameter: "source", Set: "the gate" },
      of: "request",
      before: ["GET /list?a=%2f&source=x"],
      after: ["GET /list?a=%2f&source=the%20gate"],
    },
  },
  {
    key: "QueryRouteParameter",
    summary: "Puts a value that the route's path captured into the query. Without that value nothing changes.",
    value: { meaning: "the parameter" },
    settings: appendOrSet.map((each) => ({ ...each, meaning: `${each.meaning} Names the route value.` })),
    example: {
      route: "/shop/{id}",
      transform: { QueryRouteParameter: "id", Append: "id" },
      of: "request",
      before: ["GET /shop/7?lang=en"],
      after: ["GET /shop/7?lang=en&id=7"],
    },
  },
  {
    key: "QueryRemoveParameter",
    summary: "Takes all parameters of that name out of the query.",
    value: { meaning: "the parameter" },
    example: { transform: { QueryRemoveParameter: "debug" }, of: "request", before: ["GET /list?debug=1&a=2"], after: ["GET /list?a=2"] },
  },
  {
    key: "HttpMethodChange",
    summary: "Sends requests of one method with another. `CONNECT` cannot be made of a request. To a client that did not ask by `HEAD`, the answer to one has an empty body.",
    value: { meaning: "the method to change" },
    settings: [{ name: "Set", meaning: "The method to send." }],
    example: { transform: { HttpMethodChange: "PUT", Set: "POST" }, of: "request", before: ["PUT /item"], after: ["POST /item"] },
  },
];

const forwardedActions = "`Set`, `Append`, `Remove` or `Off` (what came passes), in this spelling";
const actions = ["Set", "Append", "Remove", "Off"];
const nodeFormatNames = ["None", ...["Random", "Unknown", "Ip"].flatMap((name) => [name, `${name}AndPort`, `${name}AndRandomPort`])];
const nodeFormats =
  "`Random`, `Unknown` or `Ip`, alone or with `AndPort` or `AndRandomPort`, or `None`. `Random` is new with each request.";

export const requestEntries: readonly ManualEntry[] = [
  {
    key: "RequestHeadersCopy",
    takesIf: false,
    summary: "Whether the client's fields go to the destination at all.",
    value: { meaning: "`true` or `false`; `true` without this transform", kind: "boolean", values: yesOrNo },
    example: { transform: { RequestHeadersCopy: "false" }, of: "request", before: ["GET /", "X-Mine: 1"], after: ["GET /"] },
  },
  {
    key: "RequestHeadersAllowed",
    takesIf: false,
    summary:
      "Copies only these of the client's fields, at its place among the transforms. Fields of the connection, and those that `Connection` names, never pass.",
    value: { meaning: "names joined by `;`", kind: "list" },
    example: {
      transform: { RequestHeadersAllowed: "Accept;X-Mine" },
      of: "request",
      before: ["Accept: */*", "X-Mine: 1", "X-Other: 2"],
      after: ["Accept: */*", "X-Mine: 1"],
    },
  },
  {
    key: "RequestHeaderOriginalHost",
    takesIf: false,
    summary: "Sends the client's `Host` instead of the destination's own.",
    value: { meaning: "`true` or `false`; `false` without this transform", kind: "boolean", values: yesOrNo },
    example: {
      transform: { RequestHeaderOriginalHost: "true" },
      of: "request",
      before: ["Host: site.test"],
      after: ["Host: site.test"],
    },
  },
  {
    key: "RequestHeader",
    summary: "Sets a field, or adds a line to it. `Host` can be set, not appended to; fields of the connection and of framing neither.",
    value: { meaning: "the field's name" },
    settings: setOrAppend,
    example: {
      transform: { RequestHeader: "X-Zone", Append: "edge" },
      of: "request",
      before: ["X-Zone: client"],
      after: ["X-Zone: client", "X-Zone: edge"],
    },
  },
  {
    key: "RequestHeaderRouteValue",
    summary:
      "The same with a value that the route's path captured, as the bytes that the path had encoded. Without that value nothing changes; a value that no field can hold (`%0D%0A`) is answered with 400.",
    value: { meaning: "the field's name" },
    settings: appendOrSet.map((each) => ({ ...each, meaning: `${each.meaning} Names the route value.` })),
    example: {
      route: "/{tenant}/{**rest}",
      transform: { RequestHeaderRouteValue: "X-Tenant", Set: "tenant" },
      of: "request",
      before: ["GET /acme/x", "X-Tenant: forged"],
      after: ["GET /acme/x", "X-Tenant: acme"],
    },
  },
  {
    key: "RequestHeaderRemove",
    summary: "Takes all lines of that name out.",
    value: { meaning: "the field's name" },
    example: { transform: { RequestHeaderRemove: "Cookie" }, of: "request", before: ["Cookie: a=1", "X-Mine: 1"], after: ["X-Mine: 1"] },
  },
  {
    key: "X-Forwarded",
    takesIf: false,
    summary:
      "Tells the destination of the client: address (of whom a trusted proxy names, where the peer is one; `Append` adds the peer itself), host, scheme (the client's, as a trusted proxy says), and the path base that an embedding server took off. Without this transform all four are set. Any use of it replaces that set; where a part is not `Off`, `Forwarded` is removed. What peers send of the family that are not in `TrustedProxies` is removed first.",
    value: { meaning: `the action: ${forwardedActions}`, values: actions },
    settings: [
      ...["For", "Host", "Proto", "Prefix"].map((name) => ({ name, meaning: "The action for this part.", preset: "the main action", values: actions })),
      { name: "HeaderPrefix", meaning: "What stands before the names.", preset: "X-Forwarded-" },
    ],
    example: {
      transform: { "X-Forwarded": "Remove", For: "Set", HeaderPrefix: "X-Client-" },
      of: "request",
      before: ["X-Client-For: 6.6.6.6"],
      after: ["X-Client-For: 127.0.0.1"],
    },
  },
  {
    key: "Forwarded",
    takesIf: false,
    summary:
      "The same in one field (RFC 7239), in the order proto, host, for, by. Replaces the default set and removes the four `X-Forwarded-*`, unless `Action` is `Off` or no part is named.",
    value: { meaning: "parts among `for`, `by`, `host`, `proto`, joined by commas", kind: "comma list" },
    settings: [
      { name: "ForFormat", meaning: nodeFormats, preset: "Random", values: nodeFormatNames },
      { name: "ByFormat", meaning: nodeFormats, preset: "Random", values: nodeFormatNames },
      { name: "Action", meaning: forwardedActions, preset: "Set", values: actions },
    ],
    example: {
      transform: { Forwarded: "for,host,proto", ForFormat: "Ip" },
      of: "request",
      before: ["Host: site.test"],
      after: ['Forwarded: proto=http;host="site.test";for=127.0.0.1'],
    },
  },
  {
    key: "ClientAddress",
    takesIf: false,
    summary:
      "Sends the client's address alone, as `X-Real-IP` of nginx: that of whom a trusted proxy names, where the peer is one. What the client itself sent under that name is removed in any case.",
    value: { meaning: "the field's name" },
    example: { transform: { ClientAddress: "X-Real-IP" }, of: "request", before: ["X-Real-IP: 6.6.6.6"], after: ["X-Real-IP: 127.0.0.1"] },
  },
  {
    key: "ClientCert",
    takesIf: false,
    summary:
      "Sends the client's verified certificate: Base64 of its DER. What the client itself sent under that name is removed in any case.",
    value: { meaning: "the field's name" },
    example: { transform: { ClientCert: "X-Client-Cert" }, of: "request", before: ["X-Client-Cert: forged", "X-Mine: 1"], after: ["X-Mine: 1"] },
  },
  {
    key: "RedirectToHttps",
    summary:
      "Answers requests in clear text by their own address with https. Which scheme it is a trusted proxy says by `X-Forwarded-Proto` or `Forwarded`. Nothing is forwarded then, and transforms after it do not run.",
    value: { meaning: "the status: 301, 302, 307 or 308", kind: "number", values: ["301", "302", "307", "308"] },
    settings: [
      { name: "Host", meaning: "The host to go to.", preset: "that of the request" },
      { name: "Port", meaning: "The port to go to.", preset: "443" },
    ],
    example: {
      transform: { RedirectToHttps: "308", Port: "8443" },
      of: "answer",
      before: ["GET /a?b=1", "Host: site.test:8080"],
      after: ["HTTP/1.1 308 Permanent Redirect", "Location: https://site.test:8443/a?b=1"],
    },
  },
];
