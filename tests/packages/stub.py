"""A data set whose recorded answers `leeroo replay` serves: the expert that packages are tried with."""

import json


def write(folder):
    (folder / "responses").mkdir(parents=True)
    (folder / "queries.jsonl").write_text(json.dumps({"id": "q1", "text": "What is 17 * 23?"}) + "\n")
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\nstub,0.1,0.2\n")
    (folder / "outcomes.csv").write_text("id,model,score,cost_usd,input_tokens,output_tokens\nq1,stub,1,0.000005,10,20\n")
    (folder / "responses" / "stub.jsonl").write_text(json.dumps({"id": "q1", "text": "17 * 23 = 391"}) + "\n")
    return folder
