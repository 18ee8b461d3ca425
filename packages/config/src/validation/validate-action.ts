import type { RedirectAction, RespondAction, RouteConfig } from "../route-config.ts";
import type { IssueCollector } from "./issue-collector.ts";
import { quoted } from "./issue-collector.ts";

const redirectStatuses = [301, 302, 303, 307, 308];
/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Statuses without content: RFC 9110, 15.3.5, 15.3.6 and 15.4.5. */
const withoutBody = [204, 205, 304];
/** Header fields that the server writes itself: the framing of the message is not the configuration's. */
const framing = new Set(["connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"]);

/** What a route does with a request: exactly one of `ClusterId`, `TrafficSplit`, `Respond` and `Redirect`; none is legal and answers 503. */
export function validateAction(route: RouteConfig, found: IssueCollector): void {
  const actions = [
    route.clusterId === undefined || route.clusterId === null || route.clusterId === "" ? undefined : "ClusterId",
    route.trafficSplit === undefined || route.trafficSplit === null ? undefined : "TrafficSplit",
    route.respond === undefined || route.respond === null ? undefined : "Respond",
    route.redirect === undefined || route.redirect === null ? undefined : "Redirect",
  ].filter((name) => name !== undefined);
  if (actions.length > 1) {
    found.error("action-conflict", [actions[1] ?? ""], `${actions.join(" and ")} exclude each other`, { hint: "a route forwards, responds or redirects" });
  }
  if (route.respond !== undefined && route.respond !== null) checkRespond(route.respond, found);
  if (route.redirect !== undefined && route.redirect !== null) checkRedirect(route.redirect, found);
}

function checkRespond(respond: RespondAction, found: IssueCollector): void {
  const status = respond.statusCode ?? 200;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    found.error("respond-status", ["Respond", "StatusCode"], `${quoted(status)} is no status of a final response`, { value: status, hint: "use 200 to 599" });
  }
  const hasBody = respond.body !== undefined && respond.body !== null;
  const hasFile = respond.bodyFile !== undefined && respond.bodyFile !== null;
  if (hasBody && hasFile) found.error("respond-body-conflict", ["Respond", "BodyFile"], "Body and BodyFile exclude each other");
  if ((hasFile || (hasBody && respond.body !== "")) && withoutBody.includes(status)) {
    found.error("respond-body-not-allowed", ["Respond", hasFile ? "BodyFile" : "Body"], `a ${status} response has no body`);
  }
  for (const [name, value] of Object.entries(respond.headers ?? {})) {
    const path = ["Respond", "Headers", name];
    if (!token.test(name)) found.error("respond-header", path, `'${quoted(name)}' is no header name`);
    else if (framing.has(name.toLowerCase())) {
      found.error("respond-header", path, `header '${quoted(name)}' is written by the server itself`);
    } else if (typeof value !== "string" || /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) {
      found.error("respond-header", path, `the value of header '${quoted(name)}' has characters that no header may have`, {
        hint: "control characters and characters beyond Latin-1 are not allowed",
      });
    }
  }
}

function checkRedirect(redirect: RedirectAction, found: IssueCollector): void {
  const status = redirect.statusCode ?? 302;
  if (!redirectStatuses.includes(status)) {
    found.error("redirect-status", ["Redirect", "StatusCode"], `${quoted(status)} is no status of a redirect`, { value: status, hint: `use ${redirectStatuses.join(", ")}` });
  }
  const location = redirect.location as string | null | undefined;
  if (location === undefined || location === null || location === "") {
    found.error("redirect-location-missing", ["Redirect", "Location"], "a redirect needs a Location");
  } else if (/[\u0000-\u0020\u007f]/.test(location)) {
    found.error("redirect-location-invalid", ["Redirect", "Location"], `Location '${quoted(location)}' has blanks or control characters`, {
      value: location,
      hint: "percent-encode them",
    });
  }
}
