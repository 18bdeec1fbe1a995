import './styles.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app/App';
import { reloadOnceAfterNewBuild } from './app/newBuild';
import { createConsole } from './app/router';
import { watchTheme } from './lib/theme';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

watchTheme();
reloadOnceAfterNewBuild();
createRoot(root).render(
  <StrictMode>
    <App {...createConsole()} />
  </StrictMode>,
);
