/** Whether this page can reach the server that has the project: Jupyter's own pages can, others ask the kernel. */

export interface Reach {
  baseUrl: string;
  token: string;
}

/** The server of this page, if it has exactly this project; null if the kernel must relay. */
export async function reach(projectId: string, epoch: string): Promise<Reach | null> {
  const config = pageConfig();
  if (config === null || epoch === '') {
    return null;
  }
  const baseUrl = new URL(config.baseUrl || '/', location.href).href.replace(/\/?$/, '/');
  const token = config.token ?? '';
  try {
    const response = await fetch(`${baseUrl}api/projects/${encodeURIComponent(projectId)}`, {
      credentials: 'same-origin',
      cache: 'no-store',
      headers: token ? { Authorization: `token ${token}` } : {}
    });
    // The name of the log: a project of the same name on another server has another.
    return response.ok && (await response.json()).epoch === epoch ? { baseUrl, token } : null;
  } catch {
    return null;
  }
}

function pageConfig(): Record<string, string> | null {
  const text = document.getElementById('jupyter-config-data')?.textContent;
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
