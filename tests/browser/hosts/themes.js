// Of VS Code's own themes Light Modern, Dark Modern and Dark High Contrast, the colours that widgets have to do with.
const fonts = {
  'font-family': '"Segoe UI", system-ui, Ubuntu, "Droid Sans", sans-serif', 'font-size': '13px',
  'editor-font-family': 'Consolas, "Courier New", monospace', 'editor-font-size': '14px'
};
export const THEMES = {
  light: {
    kind: 'vscode-light',
    colours: {
      ...fonts, 'editor-background': '#ffffff', 'editor-foreground': '#3b3b3b', 'foreground': '#3b3b3b', 'button-background': '#005fb8', 'button-foreground': '#ffffff',
      'focusBorder': '#005fb8', 'textLink-foreground': '#005fb8', 'panel-border': '#e5e5e5', 'input-background': '#ffffff', 'input-border': '#cecece',
      'notebook-cellEditorBackground': '#f8f8f8', 'textPreformat-foreground': '#3b3b3b', 'textPreformat-background': '#0000001f', 'textBlockQuote-background': '#f8f8f8', 'textBlockQuote-border': '#e5e5e5'
    }
  },
  dark: {
    kind: 'vscode-dark',
    colours: {
      ...fonts, 'editor-background': '#1f1f1f', 'editor-foreground': '#cccccc', 'foreground': '#cccccc', 'button-background': '#0078d4', 'button-foreground': '#ffffff',
      'focusBorder': '#0078d4', 'textLink-foreground': '#4daafc', 'panel-border': '#2b2b2b', 'input-background': '#313131', 'input-border': '#3c3c3c',
      'notebook-cellEditorBackground': '#1f1f1f', 'textPreformat-foreground': '#d0d0d0', 'textPreformat-background': '#3c3c3c', 'textBlockQuote-background': '#2b2b2b', 'textBlockQuote-border': '#616161'
    }
  },
  contrast: {
    kind: 'vscode-high-contrast',
    colours: {
      ...fonts, 'editor-background': '#000000', 'editor-foreground': '#ffffff', 'foreground': '#ffffff', 'button-background': '#000000', 'button-foreground': '#ffffff',
      'focusBorder': '#f38518', 'textLink-foreground': '#21a6ff', 'panel-border': '#6fc3df', 'input-background': '#000000', 'input-border': '#6fc3df',
      'contrastBorder': '#6fc3df', 'contrastActiveBorder': '#f38518', 'notebook-cellEditorBackground': '#000000', 'textPreformat-foreground': '#ffffff', 'textPreformat-background': '#000000', 'textBlockQuote-border': '#ffffff'
    }
  }
};
