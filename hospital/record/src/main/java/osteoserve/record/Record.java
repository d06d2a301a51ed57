package osteoserve.record;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.util.List;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * A record: a FHIR R4 server at http://127.0.0.1:PORT/fhir, until it is ended.
 *
 * <p>It is HAPI's, with its database and its validator, which refuses whatever has an error by the
 * standard's profiles, invariants and bindings.
 */
public final class Record {

    private static final List<String> KINDS = List.of(
            "Bundle", "Device", "DiagnosticReport", "ImagingStudy", "Observation", "Provenance");

    private Record() {}

    public static void main(String[] arguments) throws Exception {
        AnnotationConfigApplicationContext beans =
                new AnnotationConfigApplicationContext(Storage.class);
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        server.addConnector(connector);
        ServletContextHandler handler = new ServletContextHandler("/");
        handler.addServlet(new ServletHolder(fhir(beans)), "/fhir/*");
        server.setHandler(handler);
        server.setStopAtShutdown(true);
        warm(beans);
        server.start();
        server.join();
    }

    /** Have the validator read the standard's definitions: the first of a kind takes seconds. */
    private static void warm(AnnotationConfigApplicationContext beans) {
        FhirContext context = beans.getBean(FhirContext.class);
        FhirValidator validator = context.newValidator();
        validator.registerValidatorModule(beans.getBean(FhirInstanceValidator.class));
        for (String kind : KINDS) {
            validator.validateWithResult(context.getResourceDefinition(kind).newInstance());
        }
    }

    private static RestfulServer fhir(AnnotationConfigApplicationContext beans) {
        FhirContext context = beans.getBean(FhirContext.class);
        IValidationSupport support = beans.getBean(IValidationSupport.class);
        RestfulServer fhir = new RestfulServer(context);
        fhir.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(beans.getBean(JpaSystemProvider.class));
        fhir.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                fhir,
                beans.getBean(IFhirSystemDao.class),
                beans.getBean(JpaStorageSettings.class),
                beans.getBean(ISearchParamRegistry.class),
                support));
        fhir.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        fhir.setDefaultPrettyPrint(true);
        RequestValidatingInterceptor validating = new RequestValidatingInterceptor();
        validating.addValidatorModule(beans.getBean(FhirInstanceValidator.class));
        validating.setFailOnSeverity(ResultSeverityEnum.ERROR);
        validating.setAddResponseHeaderOnSeverity(null);
        fhir.registerInterceptor(validating);
        return fhir;
    }
}
