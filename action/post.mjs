/** The Action's post step: log out and revoke, whatever became of the job. */
import { run } from './host.mjs';

await run('logout');
