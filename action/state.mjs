/**
 * What `main` leaves for `post`: GitHub's runner hands it over as variables that no other step can set.
 *
 * The record says what there is to undo, the way back whom to ask and how strictly; neither is taken from inputs, which a
 * composite action may change between the two. In the syntax of Node 12, as `start.mjs` is.
 */

/** The keys; the record's name stands in it, so that a post step can tell a cut state from none. */
export const NAME = 'record_name';
export const BODY = 'record';
export const WAY_BACK = 'way_back';
export const CERTIFICATES = 'certificates';

/** The longest value, in bytes: Windows has no longer variables, and Linux starts no program with one over 128 KiB. */
export const LONGEST = 32000;

/** What was left under a key; empty for nothing. @param {string} key */
export const left = (key) => process.env[`STATE_${key}`] || '';

/** Whether `main` has left something to undo. */
export const isRecorded = () => Boolean(left(NAME) || left(BODY));

/** Whether a failure of the post step fails the job. */
export function isStrict() {
  try {
    return JSON.parse(left(WAY_BACK)).strict === true;
  } catch (error) {
    return false;
  }
}
