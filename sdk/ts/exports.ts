/** What a module exports to the host. A plugin's entry file says `export * from "@carebot/sdk/exports";`. */
export { dp_abi_version, dp_alloc, dp_error, dp_flush, dp_open, dp_run } from "./assembly/guest";
