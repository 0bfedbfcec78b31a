import type { Rule } from '../project.js';
import { controllersDecideNothing } from './controllers-decide-nothing.js';
import { entitiesStayHome } from './entities-stay-home.js';
import { doors } from './doors.js';
import { knownEntries } from './known-entries.js';
import { noCycles } from './no-cycles.js';
import { noDirectEnqueue } from './no-direct-enqueue.js';
import { ownTables } from './own-tables.js';
import { parameterisedSql } from './parameterised-sql.js';
import { platformKnowsNoProduct } from './platform-knows-no-product.js';
import { platformTestsStandAlone } from './platform-tests-stand-alone.js';
import { environmentOnlyInConfig, noConsole, processEndsInLifecycle } from './process-globals.js';
import { problemsAreExplained } from './problems-are-explained.js';
import { repositoriesKnowNoHttp } from './repositories-know-no-http.js';
import { roomsBelow } from './rooms-below.js';
import { routesDeclareAnswers } from './routes-declare-answers.js';
import { smallFiles } from './small-files.js';

/** What the test holds every change to; a fork adds its own here, with a fixture that breaks it. */
export const rules: Rule[] = [
  doors,
  noCycles,
  knownEntries,
  roomsBelow,
  platformKnowsNoProduct,
  controllersDecideNothing,
  repositoriesKnowNoHttp,
  entitiesStayHome,
  noDirectEnqueue,
  environmentOnlyInConfig,
  processEndsInLifecycle,
  noConsole,
  routesDeclareAnswers,
  problemsAreExplained,
  parameterisedSql,
  ownTables,
  smallFiles,
  platformTestsStandAlone,
];
