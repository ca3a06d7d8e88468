/** Whether the server and this front end belong together. */

import { english } from '../translation';
import type { Translation } from '../translation';
import { VERSION } from '../version';

/**
 * What is to be done about a server of another version; null if it is the same.
 *
 * @param server the `server_version` of HELLO.
 */
export function versionNotice(server: string, client: string = VERSION, trans: Translation = english): string | null {
  if (server === client) {
    return null;
  }
  const what = trans.__('The server runs jupyter_pipeline %1, this page has %2.', server, client);
  const todo =
    compare(server, client) > 0
      ? trans.__('Reload the page; if that does not help, install jupyter_pipeline %1 where the page comes from.', server)
      : trans.__('Restart the Jupyter server; if that does not help, install jupyter_pipeline %1 where it runs.', client);
  return `${what} ${todo}`;
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map(text => (text.match(/\d+/g) ?? []).map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
