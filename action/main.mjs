/** The Action's step: log in. */
import { start } from './start.mjs';

start('login');
