/**
 * What both steps begin with: whether this Node can run the rest.
 *
 * GitHub's runner brings its own Node; act and others take the machine's. So this file, `state.mjs`, `main.mjs` and `post.mjs` keep to
 * the syntax of Node 12, the first that reads modules, and everything else is loaded after the question.
 */

import { isRecorded, isStrict } from './state.mjs';

/** The Node of `runs.using` in `action.yml`; a newer one is no worse. */
const NEEDED = 24;
/** As for every input or variable that cannot be used. */
const USAGE = 2;

/** Runs one stage and ends the process. @param {'login' | 'logout'} stage */
export function start(stage) {
  const found = process.versions.node;
  if (parseInt(found, 10) >= NEEDED) return import('./host.mjs').then((host) => host.run(stage));
  const isPost = stage === 'logout';
  if (isPost && !isRecorded()) {
    console.log('nothing to undo here');
    return undefined;
  }
  const isMild = isPost && !isStrict();
  const left = '\n  because: what the login left is not undone: docker stays logged in, and the credential lives to its end';
  const text = `the Action needs Node ${NEEDED} or newer, and this is Node ${found}${isPost ? left : ''}\n`
    + `hint: GitHub's runner brings it from version 2.327.1 on; others take the \`node\` that is first on PATH, on the `
    + `machine or in the job's image: install Node ${NEEDED} there`;
  console.log(`::${isMild ? 'warning' : 'error'}::${text.replace(/\n/g, '%0A')}`);
  process.exitCode = isMild ? 0 : USAGE;
  return undefined;
}
