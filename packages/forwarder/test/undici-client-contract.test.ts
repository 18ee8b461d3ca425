// @boundaries-ignore the suite lives with its interface
import { describeDestinationClientContract } from "../../http/test/contract/destination-client-contract.ts";
import { createUndiciClient } from "../src/undici/index.ts";

const closes = "undici closes the connection then";
const expects = "undici takes a 100 for a fault and cannot wait for one";

const [, libuvMinor] = process.versions.uv.split(".");

describeDestinationClientContract("the undici client", createUndiciClient, {
  skip: {
    "carries trailers of its body": "undici sends no trailers with a request",
    "of GET and DELETE keeps its body": closes,
    "with expectContinue sends its body after 100": expects,
    "with expectContinue never reads its body when the final answer comes first": expects,
    "may be preceded by a 100 that nobody asked for": expects,
    "to HEAD with a length is whole, and its connection used again": closes,
    "to HEAD in chunks is whole, and its connection used again": closes,
    "304 with a length is whole, and its connection used again": closes,
    "keeps its lines in order, case, repetition and bytes": "undici reads the reason phrase as UTF-8; lines-stay-as-they-came.test.ts asks the rest",
    "that died while idle is replaced: the request goes out once more on a fresh one": "undici does not send again",
    ...(Number(libuvMinor) < 52
      ? { "by a reset that comes with the last bytes of such a body": "libuv before 1.52 tells it as an end, which undici believes" }
      : {}),
    "by a head with HTTP/2.0": "undici does not tell the version",
  },
});
