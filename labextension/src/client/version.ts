/** Whether the server and this front end belong together. */

import { VERSION } from '../version';

/**
 * What is to be done about a server of another version; null if it is the same.
 *
 * @param server the `server_version` of HELLO.
 */
export function versionNotice(server: string, client: string = VERSION): string | null {
  if (server === client) {
    return null;
  }
  const what = `The server runs jupyter_pipeline ${server}, this page has ${client}.`;
  return compare(server, client) > 0
    ? `${what} Reload the page; if that does not help, install jupyter_pipeline ${server} where the page comes from.`
    : `${what} Restart the Jupyter server; if that does not help, install jupyter_pipeline ${client} where it runs.`;
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
