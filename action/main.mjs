/** The Action's step: log in. */
import { run } from './host.mjs';

await run('login');
