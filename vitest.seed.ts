import { configureGlobal } from "fast-check";

// Tests of properties see the same values in every run. `PROPERTY_SEED=$RANDOM` looks further.
configureGlobal({ seed: Number(process.env["PROPERTY_SEED"] ?? 20_261_122) });
