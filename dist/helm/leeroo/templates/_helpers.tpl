{{- define "leeroo.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "leeroo.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "leeroo.labels" -}}
{{ include "leeroo.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* leeroo.yaml: what the chart sets goes before what the values say */}}
{{- define "leeroo.config" -}}
{{- $own := dict "listen" "0.0.0.0:8080" "allow_remote" true "state_dir" "/var/lib/leeroo" "auth" .Values.auth "drain" .Values.drain }}
{{- if .Values.ledgerSecret }}{{- $own = set $own "ledger" (mergeOverwrite (dict) (default (dict) .Values.config.ledger) (dict "store" "env:LEDGER_URL")) }}{{ end }}
{{- if .Values.clientKeysSecret }}{{- $own = set $own "keys" "/etc/leeroo-keys/keys.json" }}{{ end }}
{{- mergeOverwrite (dict) .Values.config $own | toYaml }}
{{- end }}
