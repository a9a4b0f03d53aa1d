/** What docker's configuration directories and private ones have in common: names, variables, and how the system refuses. */
const fs = process.getBuiltinModule('node:fs');
const util = process.getBuiltinModule('node:util');

export const CONFIG = 'config.json';
export const IS_WINDOWS = process.platform === 'win32';

/** Why an effect was not performed; `answer` is what the module gets. */
export class Trouble extends Error {
  /** @param {'malformed' | 'changed' | { unusable: string }} answer */
  constructor(answer) {
    super('the configuration cannot be used');
    this.answer = answer;
  }
}

/** An empty variable counts as unset. */
export const variable = (name) => process.env[name] || undefined;

/** @param {any} error @returns {string} what the system says, without the names of calls */
export const reason = (error) => (error.errno ? util.getSystemErrorMessage(error.errno) : error.message);
export const unusable = (place, error) => new Trouble({ unusable: `${place}: ${reason(error)}` });

/** The result of `attempt`, or `otherwise` if the system refuses. */
export function orElse(otherwise, attempt) {
  try {
    return attempt();
  } catch {
    return otherwise;
  }
}

export const canonical = (place) => orElse(place, () => fs.realpathSync(place));
