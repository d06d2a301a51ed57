"""What is refused, word for word."""

from __future__ import annotations

import pytest

from k8s import helm
from tests.chart.conftest import OIDC

POSTGRES = 'database.existingSecret="pg"'
SQLITE = (
    "results are kept in SQLite, a file that one front alone may write. Put a postgresql:// URL "
    "into a Secret and name it in database.existingSecret"
)


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        pytest.param(
            ["front.replicas=3"],
            f"front.replicas is 3, but {SQLITE}, or set front.replicas to 1.",
            id="two writers of SQLite",
        ),
        pytest.param(
            ['front.autoscaling.kind="hpa"'],
            f"front.autoscaling.kind is hpa, but {SQLITE}, or set front.autoscaling.kind to none.",
            id="SQLite scaled",
        ),
        pytest.param(
            ['runners.cnn.autoscaling={"kind":"hpa","minReplicas":7}'],
            "runners.cnn.autoscaling.minReplicas is 7, more than maxReplicas, 6: lower the one or "
            "raise the other.",
            id="fewest over most",
        ),
        pytest.param(
            ['runners.cnn.autoscaling={"kind":"hpa","cpuUtilization":0}'],
            "at '/runners/cnn/autoscaling/cpuUtilization': minimum: got 0, want 1",
            id="no CPU at all",
        ),
        pytest.param(
            ['runners.cnn.autoscaling={"kind":"hpa"}', "runners.cnn.resources.requests=null"],
            "runners.cnn.autoscaling.cpuUtilization is a part of what is requested: set "
            "runners.cnn.resources.requests.cpu, or cpuUtilization to null.",
            id="a part of nothing",
        ),
        pytest.param(
            ['runners.cnn.autoscaling={"kind":"keda","requestsInFlight":4}'],
            "runners.cnn.autoscaling.kind is keda, which asks Prometheus: set "
            "metrics.prometheusAddress, for example http://prometheus.monitoring:9090.",
            id="KEDA without Prometheus",
        ),
        pytest.param(
            ['common.rollout={"maxSurge":0,"maxUnavailable":"0%"}'],
            "front.rollout: maxSurge and maxUnavailable are both 0, so no pod could ever be "
            "replaced: set one of them to 1.",
            id="a rollout that cannot move",
        ),
        pytest.param(
            ["common.preStopSeconds=20"],
            "front.terminationGraceSeconds is 30; preStopSeconds and the 15 s that requests in "
            "flight may take need 35.",
            id="killed in its pause",
        ),
        pytest.param(
            ['runners.vgg16.resources.requests.cpu="two"'],
            'runners.vgg16.resources.requests.cpu: "two" is no quantity: write CPUs as 500m or 2, '
            "bytes as 512Mi or 1Gi.",
            id="CPU in words",
        ),
        pytest.param(
            ['database.sqlite.persistence.size="5GB"'],
            'database.sqlite.persistence.size: "5GB" is no quantity: write CPUs as 500m or 2, '
            "bytes as 512Mi or 1Gi.",
            id="gigabytes",
        ),
        pytest.param(
            ['runners.stack.gpu={"resource":"nvidia.com/gpu","count":1}'],
            "runners.stack.gpu: the stack is a logistic regression and uses no GPU: leave it out.",
            id="a GPU for a sum",
        ),
        pytest.param(
            ["ingress.enabled=true"],
            "ingress.enabled needs ingress.host: the name under which people reach the pages.",
            id="ingress to nowhere",
        ),
        pytest.param(
            ["httpRoute.enabled=true"],
            "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that this route belongs to, "
            "for example [{name: public, namespace: gateways}].",
            id="route without gateway",
        ),
        pytest.param(
            ["ingress.enabled=true", 'ingress.host="a.example"'],
            "ingress or httpRoute is enabled, but the network policies let nobody through: name "
            "the controller's pods in networkPolicy.clients, for example [{namespaceSelector: "
            "{matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}], or set "
            "networkPolicy.enabled to false.",
            id="a closed door behind an open one",
        ),
        pytest.param(
            ["metrics.serviceMonitor.enabled=true"],
            "metrics.serviceMonitor is enabled, but the network policies keep Prometheus out: name "
            "its pods in networkPolicy.metrics, for example [{namespaceSelector: {matchLabels: "
            "{kubernetes.io/metadata.name: monitoring}}}], or set networkPolicy.enabled to false.",
            id="Prometheus kept out",
        ),
        pytest.param(
            ['runners.cnn.settings.OSTEOSERVE_TRACING_ENDPOINT="http://collector:4318"'],
            "OSTEOSERVE_TRACING_ENDPOINT is set, but the network policies keep spans in: name the "
            "collector in networkPolicy.tracing, for example [{namespaceSelector: {matchLabels: "
            "{kubernetes.io/metadata.name: tracing}}}] or [{ipBlock: {cidr: 10.20.30.40/32}}], and "
            "its port in networkPolicy.tracingPort, or set networkPolicy.enabled to false.",
            id="spans kept in",
        ),
        pytest.param(
            ['front.settings.OSTEOSERVE_ATNA_COLLECTORS="arr.example"'],
            "OSTEOSERVE_ATNA_COLLECTORS is set, but the network policies keep audit messages in: "
            "name the collectors in networkPolicy.auditCollectors, for example [{ipBlock: {cidr: "
            "10.20.30.60/32}}], and their port in networkPolicy.auditCollectorsPort, or set "
            "networkPolicy.enabled to false.",
            id="audit messages kept in",
        ),
        pytest.param(
            ["database.encryption.enabled=true"],
            "database.encryption.enabled needs database.encryption.existingSecret: a Secret with "
            "keys of columns, one a line, the one that encrypts first. Make one, for example "
            "kubectl create secret generic osteoserve-columns --from-literal=column-keys=$(openssl "
            "rand -hex 32), and keep a copy of it where no backup of the database is.",
            id="encryption without keys",
        ),
        pytest.param(
            ['auth.secretKeysKey="seals"'],
            "auth.secretKeysKey names a key of the Secret auth.existingSecret, which is empty: "
            "name the Secret, or leave the key out.",
            id="seals of no Secret",
        ),
        pytest.param(
            [
                'database.existingSecret="pg"',
                'auth.existingSecret="doors"',
                'auth.secondFactor=["all"]',
            ],
            "auth.secondFactor needs auth.secretKeysKey with PostgreSQL: a key in "
            "auth.existingSecret that every front seals second factors with.",
            id="second factors without a seal",
        ),
        pytest.param(
            [*OIDC, 'auth.oidc.clientId=""'],
            "auth.oidc.issuer needs auth.oidc.clientId: what the identity provider knows the front "
            "as.",
            id="a client without a name",
        ),
        pytest.param(
            [*OIDC, "auth.oidc.groups=null"],
            "auth.oidc.issuer needs auth.oidc.groups or auth.oidc.administrators, for example "
            "{dxa-readers: [viewer]}: nobody has a role without a group.",
            id="a provider without groups",
        ),
        pytest.param(
            [*OIDC, 'auth.existingSecret="a"', 'auth.firstAdministratorKey="first"'],
            "auth.firstAdministratorKey and auth.oidc.issuer are both set, but administrators come "
            "by their groups then: leave the key out and name the groups in "
            "auth.oidc.administrators.",
            id="two first administrators",
        ),
        pytest.param(
            [one for one in OIDC if "PUBLIC_URL" not in one],
            "auth.oidc.issuer needs the address that the identity provider sends people back to: "
            "set front.settings.OSTEOSERVE_PUBLIC_URL, for example https://dxa.clinic.example, or "
            "ingress.host with ingress.tlsSecret.",
            id="no way back from the provider",
        ),
        pytest.param(
            [*OIDC, "networkPolicy.identityProvider=[]"],
            "auth.oidc.issuer is set, but the network policies keep the front from it: name the "
            "identity provider in networkPolicy.identityProvider, for example [{ipBlock: {cidr: "
            "10.20.30.50/32}}], and its port in networkPolicy.identityProviderPort, or set "
            "networkPolicy.enabled to false.",
            id="a provider behind a wall",
        ),
        pytest.param(
            [
                *OIDC,
                'auth.oidc.certificateAuthority.configMap="a"',
                'auth.oidc.certificateAuthority.secret="b"',
            ],
            "auth.oidc.certificateAuthority names a ConfigMap and a Secret: leave one of them out.",
            id="two authorities",
        ),
        pytest.param(
            [*OIDC, "auth.oidc.secretAsFile=true"],
            "auth.oidc.secretAsFile needs auth.oidc.existingSecret: the Secret that the file is "
            "of.",
            id="a file of no Secret",
        ),
        pytest.param(
            [
                *OIDC,
                'auth.oidc.certificateAuthority.configMap="a"',
                'front.settings.OSTEOSERVE_OIDC_CA_FILE="/etc/ca"',
            ],
            "front.settings names a file that auth.oidc.secretAsFile or "
            "auth.oidc.certificateAuthority mounts: leave one of the two out.",
            id="two files",
        ),
        pytest.param(
            ['retention.policy={"north":{"audit":900}}'],
            "retention.policy.north.audit: the trail is one of all sites. Say it under '*'.",
            id="a trail of one site",
        ),
        pytest.param(
            ['auth.oidc.clientId="osteoserve"'],
            "auth.oidc.issuer is empty, but other values of auth.oidc are set: people would sign "
            "in with accounts of the front. Set it, or leave the others out.",
            id="a provider forgotten",
        ),
        pytest.param(
            [*OIDC, 'auth.oidc.groups={"a":["owner"]}'],
            "at '/auth/oidc/groups/a/0': 'owner' does not match pattern",
            id="a role that is none",
        ),
        pytest.param(
            [*OIDC, 'auth.oidc.issuer="http://idp.example"'],
            "at '/auth/oidc/issuer': 'http://idp.example' does not match pattern",
            id="a provider without TLS",
        ),
        pytest.param(
            ["front.replica=2"],
            "at '/front': additional properties 'replica' not allowed",
            id="misspelt",
        ),
        pytest.param(
            ["runners.cnn.autoscaling.minReplica=2"],
            "at '/runners/cnn/autoscaling': additional properties 'minReplica' not allowed",
            id="misspelt deep down",
        ),
        pytest.param(
            ["runners.vgg19={}"],
            "at '/runners': additional properties 'vgg19' not allowed",
            id="a runner that there is not",
        ),
        pytest.param(
            ['front.replicas="3"'],
            "at '/front/replicas': got string, want integer",
            id="a number in quotes",
        ),
        pytest.param(
            ["front.settings.OSTEOSERVE_DEADLINE=3"],
            "at '': invalid propertyName 'OSTEOSERVE_DEADLINE'",
            id="a setting that there is not",
        ),
        pytest.param(
            ['front.settings.OSTEOSERVE_DATABASE_URL="sqlite:///x"'],
            "at '': invalid propertyName 'OSTEOSERVE_DATABASE_URL'",
            id="a setting that is the chart's",
        ),
        pytest.param(
            ['loadTest.shape="wave"'],
            "at '/loadTest/shape': value must be one of 'smoke', 'steady', 'ramp', 'spike', "
            "'soak', 'overload'",
            id="a shape that there is not",
        ),
        pytest.param(
            [POSTGRES],
            "auth.existingSecret is empty, but with PostgreSQL every front needs the same key for "
            "the trail. Make one, for example kubectl create secret generic osteoserve-auth "
            "--from-literal=audit-key=$(openssl rand -hex 32), and name it in "
            "auth.existingSecret.",
            id="several keys of one trail",
        ),
        pytest.param(
            ['auth.firstAdministratorKey="first"'],
            "auth.firstAdministratorKey names a key of the Secret auth.existingSecret, which is "
            "empty: name the Secret, or leave the key out.",
            id="a token of no Secret",
        ),
        pytest.param(
            ["loadTest.enabled=true"],
            "loadTest.enabled needs loadTest.keySecret: a Secret with a key of the role "
            "clinician, made by kubectl exec deploy/NAME-front -- python -m service keys add "
            "--name load --role clinician.",
            id="load without a key",
        ),
        *(
            pytest.param(
                [f'front.settings.{name}="{"x" * 32}"'],
                f"at '': invalid propertyName '{name}'",
                id=f"{name} in a ConfigMap",
            )
            for name in ("OSTEOSERVE_AUDIT_KEY", "OSTEOSERVE_FIRST_ADMINISTRATOR")
        ),
        pytest.param(
            ['common.podLabels={"app.kubernetes.io/name":"mine"}'],
            "common.podLabels has app.kubernetes.io/name, a label that is the chart's or "
            "Kubernetes' own and tells whose a pod is: choose another key.",
            id="a label that selects",
        ),
        pytest.param(
            ['loadTest.podLabels={"osteoserve/accounts":"true"}'],
            "loadTest.podLabels has osteoserve/accounts, a label that is the chart's or "
            "Kubernetes' own and tells whose a pod is: choose another key.",
            id="a label of the Service's",
        ),
        pytest.param(
            ['metrics.dashboards.labels={"app.kubernetes.io/instance":"mine"}'],
            "metrics.dashboards.labels has app.kubernetes.io/instance, a label that is the chart's",
            id="a label that selects, elsewhere",
        ),
        pytest.param(
            ['test.podLabels={"team":"of two words"}'],
            "at '/test/podLabels/team': 'of two words' does not match pattern",
            id="no label's value",
        ),
        pytest.param(
            ['common.podAnnotations={"checksum/config":"x"}'],
            "common.podAnnotations has checksum/config, by which the chart restarts pods whose "
            "settings have changed: leave it out.",
            id="an annotation of the chart's",
        ),
        pytest.param(
            ['front.extraEnv=[{"name":"OSTEOSERVE_PORT","value":"1"}]'],
            "front.extraEnv has OSTEOSERVE_PORT, which the chart or its settings give, or which "
            "stands there twice: leave it out.",
            id="a variable of the chart's",
        ),
        pytest.param(
            ['front.settings={"OSTEOSERVE_LOG_LEVEL":"debug"}',
             'front.extraEnv=[{"name":"OSTEOSERVE_LOG_LEVEL","value":"info"}]'],
            "front.extraEnv has OSTEOSERVE_LOG_LEVEL, which the chart or its settings give",
            id="a setting twice",
        ),
        pytest.param(
            ['common.certificateAuthority={"configMap":"ca"}',
             'front.extraEnv=[{"name":"SSL_CERT_FILE","value":"/x"}]'],
            "front.extraEnv has SSL_CERT_FILE, which the chart or its settings give",
            id="two authorities",
        ),
        pytest.param(
            ['common.certificateAuthority={"configMap":"ca","secret":"ca"}'],
            "common.certificateAuthority names a ConfigMap and a Secret: leave one of them out.",
            id="an authority in two places",
        ),
        pytest.param(
            ['front.extraVolumes=[{"name":"state","emptyDir":{}}]'],
            "front.extraVolumes has state, a name of the chart's own or one that stands there "
            "twice: choose another.",
            id="a volume of the chart's",
        ),
        pytest.param(
            ['front.extraVolumeMounts=[{"name":"site","mountPath":"/site"}]'],
            "front.extraVolumeMounts names the volume site, which is not among extraVolumes: add "
            "it there.",
            id="a mount of no volume",
        ),
        pytest.param(
            ['front.extraVolumes=[{"name":"site","emptyDir":{}}]',
             'front.extraVolumeMounts=[{"name":"site","mountPath":"/tmp/"}]'],
            "front.extraVolumeMounts has /tmp/, where the chart mounts something or which stands "
            "there twice: choose another place.",
            id="a mount over the chart's",
        ),
        pytest.param(
            ['service.ipFamilies=["IPv6","IPv4"]'],
            "service.ipFamilies names two families, but service.ipFamilyPolicy is not "
            "PreferDualStack or RequireDualStack: set it to one of these, or name one family.",
            id="two families on a single stack",
        ),
        pytest.param(
            ["networkPolicy.dnsPorts=[]"],
            "at '/networkPolicy/dnsPorts': minItems: got 0, want 1",
            id="no port of DNS's",
        ),
        pytest.param(
            ["test=null"],
            "the values have no test: they are of an older version of the chart, kept by helm "
            "upgrade --reuse-values, or it was set to null. Upgrade with "
            "--reset-then-reuse-values, or with --reset-values and your own --values.",
            id="values of an older version",
        ),
        pytest.param(
            ["loadTest.rate=0"],
            "at '/loadTest/rate': exclusiveMinimum: got 0, want 0",
            id="no load at all",
        ),
        pytest.param(
            ['loadTest.scratch="lots"'],
            'loadTest.scratch: "lots" is no quantity: write CPUs as 500m or 2, bytes as 512Mi or '
            "1Gi.",
            id="scratch in words",
        ),
        pytest.param(
            ['front.gpu={"resource":"nvidia.com/gpu","count":1}'],
            "at '/front': additional properties 'gpu' not allowed",
            id="a GPU for the front",
        ),
    ],
)  # fmt: skip
def test_refused_with_what_to_do(sets: list[str], says: str) -> None:
    with pytest.raises(helm.HelmError) as refused:
        helm.template(sets=tuple(sets))
    assert says in " ".join(str(refused.value).split())


def test_more_fronts_are_taken_with_postgresql() -> None:
    sets = ("front.replicas=3", POSTGRES, 'auth.existingSecret="doors"')
    assert "replicas: 3" in helm.template(sets=sets)


def test_a_parent_chart_s_global_values_are_let_through() -> None:
    assert helm.template(sets=('global={"anything":{"at":"all"}}',))


def test_lint_finds_nothing() -> None:
    assert "0 chart(s) failed" in helm.run("lint", str(helm.CHART), "--strict")
