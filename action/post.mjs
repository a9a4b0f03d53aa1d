/** The Action's post step: log out and revoke, whatever became of the job. */
import { start } from './start.mjs';

start('logout');
