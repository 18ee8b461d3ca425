// Loaded with --import: koffi is not installed for this process and those that it starts.
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== "koffi") return next(specifier, context);
    throw Object.assign(new Error("Cannot find package 'koffi' imported from the test"), { code: "ERR_MODULE_NOT_FOUND" });
  },
});
