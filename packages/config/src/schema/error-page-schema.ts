import * as Schema from "effect/Schema";
import { field } from "./field.ts";
import { Bool, Text } from "./scalars.ts";

/** A page for answers with a status from 400 on. */
export const ErrorPageSection = Schema.Struct({
  status: field(Text, "For which statuses: `4xx`, `404`, `500-504`, several joined by commas. Required."),
  body: field(Text, "Text of the page, sent as UTF-8. Not together with `BodyFile`."),
  bodyFile: field(Text, "A file that is read when the configuration is loaded, relative to the configuration file."),
  contentType: field(Text, "Media type of the page. Of several pages for a status, clients get the first whose type their `Accept` takes.", {
    defaultText: "by the file's extension, otherwise plain text",
  }),
  intercept: field(Bool, "Whether it also takes the place of what destinations answer.", { default: false }),
});
