// SPDX-License-Identifier: Apache-2.0
import { createContext } from 'react';
import type { Progress } from '../api/contract';

/** What is running in the case that is shown: one stream for all its views. */
export const ProgressContext = createContext<Progress[]>([]);
