// @ts-nocheck: Node's types are not among the front end's.
/** Colours tell the models apart, and stay with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelColour } from './colours';
import { ProjectModel } from './model';
import { CSS } from './style';

const KNOWN = ['linear', 'random_forest', 'extra_trees', 'hist_gradient_boosting', 'lightgbm', 'xgboost', 'catboost'];

test('each model has a colour of its own, the ensemble and the baseline too, whatever was chosen', () => {
  for (const chosen of [['dummy', ...KNOWN, 'ensemble'], ['dummy', 'lightgbm', 'linear', 'ensemble'], ['ensemble', 'catboost']]) {
    const model = new ProjectModel('colours');
    model.models = ['dummy', ...KNOWN, 'ensemble'].map(id => ({ id, name: id }));
    model.stages.MODEL_SELECT.plan = { models: chosen.map(id => ({ id })) };
    const colours = model.models.map(m => modelColour(model, m.id));
    assert.equal(new Set(colours).size, colours.length);
    for (const colour of colours) {
      assert.equal(CSS.split(`${colour}: #`).length, 4, `${colour} is set for light, and for dark by JupyterLab or the system`);
    }
  }
});
