// The names that the plugin's manifest declares. Numbers travel, in the order of the manifest.

export let scoreNames: string[] = [];
export let reasonNames: string[] = [];

export function setTables(scores: string[], reasons: string[]): void {
  scoreNames = scores;
  reasonNames = reasons;
}
