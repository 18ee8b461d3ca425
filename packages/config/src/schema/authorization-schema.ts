import * as Schema from "effect/Schema";
import { field, record } from "./field.ts";
import { AbsoluteUrl, Bool, Duration, OneOf, Text } from "./scalars.ts";

const list = Schema.Array(Text);

const Exchange = Schema.Struct({
  endpoint: field(AbsoluteUrl, "The token endpoint. Required."),
  clientId: field(Text, "Who asks."),
  clientSecret: field(Text, "Its secret, sent by HTTP Basic."),
  audience: field(Text, "For whom the new token is. One of `Audience`, `Resource` and `Scope` is required."),
  resource: field(Text, "The same as a URL."),
  scope: field(Text, "What the new token is for."),
  timeout: field(Duration, "For an answer; 503 beyond.", { default: "00:00:10" }),
});

const Forward = Schema.Struct({
  headers: field(
    record(Text, "field"),
    "Field to the claim that it is filled from; `@name` and `@scheme` are those of the identity. What clients send of these is removed on every route.",
  ),
  token: field(
    OneOf(["Keep", "Remove", "Forward", "Exchange"]),
    "`Keep`: `Authorization` passes as it is. `Remove`: it does not. `Forward`: the token of the identity is written there. `Exchange`: one that is got for it (RFC 8693).",
    { default: "Keep" },
  ),
  exchange: field(Exchange, "Where tokens are exchanged."),
});

/** Who may pass. */
export const AuthorizationPolicy = Schema.Struct({
  schemes: field(list, "Schemes that are asked, in order, until one knows who it is.", { defaultText: "those of the policies named below, or the only one there is" }),
  requireAuthenticated: field(Bool, "False: requests of nobody pass too, where nothing else is asked for.", { default: true }),
  roles: field(list, "One of these roles."),
  roleClaims: field(list, "Claims that hold roles.", { defaultText: "`role`, `roles`" }),
  scopes: field(list, "Each of these scopes, in the claim `scope` or `scp`."),
  claims: field(record(list, "claim"), "Claim to the values of which it must have one; `*`: any will do."),
  all: field(list, "Policies that must all hold."),
  any: field(list, "Policies of which one must hold."),
  not: field(list, "Policies none of which may hold."),
  methods: field(record(Text, "method"), "Method to the policy that must hold; `*` for those not named. Without it others may not pass."),
  forward: field(Forward, "What the destination is told of the client's identity."),
});
